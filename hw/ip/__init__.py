"""What lies around the network's Verilog in the folder ``ip``, a module a kind of file."""
