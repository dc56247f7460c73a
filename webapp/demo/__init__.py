"""The small demo company 云启智联科技: people to log in as, budgets to spend, requests at every stage.

Everything in it is invented: names, mail under example domains, numbers of the blocks +86 199 0000 00xx (people)
and 199 0001 xxxx (customers). People and requests are made by the operations people use, customers in bulk; it is the
same every time, and its dates count from today.
"""

from webapp.demo import following, owners, rivals, standings, telephones
from webapp.demo.company import is_loaded, load
from webapp.demo.customers import STORY, move_in
from webapp.demo.people import PASSWORD, PEOPLE, DemoPerson
from webapp.demo.removal import Removed, remove
from webapp.demo.requests import SampleRequest, sample_requests, send_samples

__all__ = [
    "PASSWORD",
    "PEOPLE",
    "STORY",
    "DemoPerson",
    "Removed",
    "SampleRequest",
    "is_loaded",
    "load",
    "move_in",
    "remove",
    "sample_requests",
    "send_samples",
]

STORY.extend((following.tell, owners.left_behind, standings.tell, telephones.tell, rivals.tell, owners.tell))
