"""Ways to reach venues. An adapter is a package of the same few files: config, data, execution, factory."""
