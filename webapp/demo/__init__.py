"""The small demo company 云启智联科技: people to log in as, budgets to spend, requests at every stage.

Everything in it is invented: names, mail under example domains, numbers of the block +86 199 0000 00xx. It is made by
the operations people use, is the same every time, and its dates count from today.
"""

from webapp.demo.company import is_loaded, load
from webapp.demo.people import PASSWORD, PEOPLE, DemoPerson
from webapp.demo.removal import Removed, remove
from webapp.demo.requests import SampleRequest, sample_requests, send_samples

__all__ = [
    "PASSWORD",
    "PEOPLE",
    "DemoPerson",
    "Removed",
    "SampleRequest",
    "is_loaded",
    "load",
    "remove",
    "sample_requests",
    "send_samples",
]
