"""The clock of messaging: each module declares its jobs when it is imported."""

from processes.messaging.jobs.quotas import check_quotas, lapse
from processes.messaging.jobs.received_sms import complete_received, match_reports
from processes.messaging.jobs.sorting_mail import sort_mail

__all__ = ["check_quotas", "complete_received", "lapse", "match_reports", "sort_mail"]
