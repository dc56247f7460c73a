"""What is done with contact records, appointments and the policy of following up."""

from processes.activity.operations.analysis import Analysis, Band, Pace, analyse, drilled
from processes.activity.operations.appointments import (
    CHANGED,
    POSTPONED,
    TAKEN_OVER,
    cancel,
    close_all,
    give_all,
    join,
    make_appointment,
    moves,
    open_of,
    reschedule,
    take_over,
)
from processes.activity.operations.frequencies import change_policy, create_policy, remove_policy
from processes.activity.operations.happenings import Happening, timeline
from processes.activity.operations.house_rules import HOUSE, follow_by
from processes.activity.operations.merging import merge, unmerge
from processes.activity.operations.moving import move_with
from processes.activity.operations.planning import (
    AppointmentTaken,
    frequency_of,
    latest_day,
    open_with,
    policies,
    proposals,
    propose,
    today,
)
from processes.activity.operations.queues import Line, counts, due_now, lines, people_below, person_in, planned, waiting
from processes.activity.operations.records import RECORDED, VOIDED, create_record, edit_record, versions, void_record
from processes.activity.operations.supervising import (
    Progress,
    mark_read,
    progress,
    readers,
    team_records,
)

__all__ = [
    "CHANGED",
    "HOUSE",
    "POSTPONED",
    "RECORDED",
    "TAKEN_OVER",
    "VOIDED",
    "Analysis",
    "AppointmentTaken",
    "Band",
    "Happening",
    "Line",
    "Pace",
    "Progress",
    "analyse",
    "cancel",
    "change_policy",
    "close_all",
    "counts",
    "create_policy",
    "create_record",
    "drilled",
    "due_now",
    "edit_record",
    "follow_by",
    "frequency_of",
    "give_all",
    "join",
    "latest_day",
    "lines",
    "make_appointment",
    "mark_read",
    "merge",
    "move_with",
    "moves",
    "open_of",
    "open_with",
    "people_below",
    "person_in",
    "planned",
    "policies",
    "progress",
    "proposals",
    "propose",
    "readers",
    "remove_policy",
    "reschedule",
    "take_over",
    "team_records",
    "timeline",
    "today",
    "unmerge",
    "versions",
    "void_record",
    "waiting",
]
