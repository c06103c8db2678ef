"""From a network to hardware, in Amaranth. Knows neither boards nor tools."""
