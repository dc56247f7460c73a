"""The tables of messaging, and its window on the engine's outbox."""

from processes.messaging.models.campaign import CAMPAIGN_STATES, SmsCampaign, SmsRecipient
from processes.messaging.models.consent import Consent
from processes.messaging.models.invitation import Invitation, InvitationGuest
from processes.messaging.models.opt_out import OptOut
from processes.messaging.models.quota import SmsCharge, SmsQuota
from processes.messaging.models.received import SmsPart, SmsReceived, SmsReference, SmsReport
from processes.messaging.models.received_mail import MailboxCursor, ReceivedMail
from processes.messaging.models.sent import CHANNELS, LONGEST_NAME, SentMessage

__all__ = [
    "CAMPAIGN_STATES",
    "CHANNELS",
    "LONGEST_NAME",
    "Consent",
    "Invitation",
    "InvitationGuest",
    "MailboxCursor",
    "OptOut",
    "ReceivedMail",
    "SentMessage",
    "SmsCampaign",
    "SmsCharge",
    "SmsPart",
    "SmsQuota",
    "SmsReceived",
    "SmsRecipient",
    "SmsReference",
    "SmsReport",
]
