"""The sample: real daily bars that come with a package; nothing is downloaded."""
