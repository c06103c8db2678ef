"""The stages of a build: generate, synthesise, place, route and pack."""
