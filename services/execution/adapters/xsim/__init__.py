"""The simulated exchange XSIM, by the venue service's contract."""
