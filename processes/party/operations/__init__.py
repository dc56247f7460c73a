"""Changes of customers and contacts: each checks its right, holds the rules and leaves a trace."""

from processes.party.operations.alike import Alike, find_alike, lay_down, look_also
from processes.party.operations.contacts import change_contact, create_contact, employer_of_ours, mark_left
from processes.party.operations.converting import employers, make_contact_of, make_customer_of, make_prospect_of
from processes.party.operations.customers import (
    CLOSED,
    CREATED,
    change_customer,
    close_customer,
    create_customer,
    protect_customer,
    reopen_customer,
)
from processes.party.operations.duplicates import dismiss_pair, forget_settled, look_for_pairs, pairs
from processes.party.operations.explaining import Explanation, Overview, explain, may_explain, overlook
from processes.party.operations.field_rules import change_field_rule, create_field_rule, remove_field_rule
from processes.party.operations.files import MOST_FILES_AT_ONCE, add_files, remove_file
from processes.party.operations.hanging import Mover, hangs_on
from processes.party.operations.keeping import keep_owner
from processes.party.operations.merging import MERGED, UNMERGED, merge, merges_into, preview, undo_merge
from processes.party.operations.relations import (
    add_relation,
    archive_competitor,
    change_competitor,
    create_competitor,
    links,
    put_competitor_at,
    remove_competitor_at,
    remove_relation,
)

__all__ = [
    "CLOSED",
    "CREATED",
    "MERGED",
    "MOST_FILES_AT_ONCE",
    "UNMERGED",
    "Alike",
    "Explanation",
    "Mover",
    "Overview",
    "add_files",
    "add_relation",
    "archive_competitor",
    "change_competitor",
    "change_contact",
    "change_customer",
    "change_field_rule",
    "close_customer",
    "create_competitor",
    "create_contact",
    "create_customer",
    "create_field_rule",
    "dismiss_pair",
    "employer_of_ours",
    "employers",
    "explain",
    "find_alike",
    "forget_settled",
    "hangs_on",
    "keep_owner",
    "lay_down",
    "links",
    "look_also",
    "look_for_pairs",
    "make_contact_of",
    "make_customer_of",
    "make_prospect_of",
    "mark_left",
    "may_explain",
    "merge",
    "merges_into",
    "overlook",
    "pairs",
    "preview",
    "protect_customer",
    "put_competitor_at",
    "remove_competitor_at",
    "remove_field_rule",
    "remove_file",
    "remove_relation",
    "reopen_customer",
    "undo_merge",
]
