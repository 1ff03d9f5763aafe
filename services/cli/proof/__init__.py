"""The proof that nothing was lost, doubled or misposted, from records read by RPC.

It shares no code with the services: what they compute is computed here again.
"""

from services.cli.proof.check import Proof, Records, check
from services.cli.proof.reader import read_records

__all__ = ["Proof", "Records", "check", "read_records"]
