"""What is done with contact records, appointments and the policy of following up."""

from processes.activity.operations.analysis import Analysis, Asked, Band, Pace, analyse, behind, drilled, to_speak_to
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
from processes.activity.operations.filed import files
from processes.activity.operations.frequencies import change_policy, create_policy, remove_policy
from processes.activity.operations.happenings import Happening, timeline
from processes.activity.operations.house_rules import HOUSE, follow_by
from processes.activity.operations.merging import merge, unmerge
from processes.activity.operations.moving import move_with
from processes.activity.operations.of_calls import own_record_of_call, recorded_by_agents, records_of_call
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
    progress_of_superiors,
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
    "Asked",
    "Band",
    "Happening",
    "Line",
    "Pace",
    "Progress",
    "analyse",
    "behind",
    "cancel",
    "change_policy",
    "close_all",
    "counts",
    "create_policy",
    "create_record",
    "drilled",
    "due_now",
    "edit_record",
    "files",
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
    "own_record_of_call",
    "people_below",
    "person_in",
    "planned",
    "policies",
    "progress",
    "progress_of_superiors",
    "proposals",
    "propose",
    "readers",
    "recorded_by_agents",
    "records_of_call",
    "remove_policy",
    "reschedule",
    "take_over",
    "team_records",
    "timeline",
    "to_speak_to",
    "today",
    "unmerge",
    "versions",
    "void_record",
    "waiting",
]
