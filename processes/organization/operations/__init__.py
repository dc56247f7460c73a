"""Changes of the organization: each checks its right, holds the rules and leaves a trace."""

from processes.organization.operations.calendar import (
    ask_for_due_shift,
    change_calendar_day,
    change_office_hours,
    create_calendar_day,
    create_office_hours,
    import_announcement,
    remove_calendar_day,
    remove_office_hours,
    set_day,
)
from processes.organization.operations.departments import archive_department, change_department, create_department
from processes.organization.operations.employees import archive_employee, change_employee, create_employee
from processes.organization.operations.importing import import_employees
from processes.organization.operations.logins import ensure_employee_for_login
from processes.organization.operations.positions import archive_position, change_position, create_position
from processes.organization.operations.scopes import (
    SUBJECTS,
    change_scope_grant,
    check_subject,
    create_scope_grant,
    read_subject,
    remove_scope_grant,
)
from processes.organization.operations.signatures import remove_signature, set_signature, signature_of

__all__ = [
    "SUBJECTS",
    "archive_department",
    "archive_employee",
    "archive_position",
    "ask_for_due_shift",
    "change_calendar_day",
    "change_department",
    "change_employee",
    "change_office_hours",
    "change_position",
    "change_scope_grant",
    "check_subject",
    "create_calendar_day",
    "create_department",
    "create_employee",
    "create_office_hours",
    "create_position",
    "create_scope_grant",
    "ensure_employee_for_login",
    "import_announcement",
    "import_employees",
    "read_subject",
    "remove_calendar_day",
    "remove_office_hours",
    "remove_scope_grant",
    "remove_signature",
    "set_day",
    "set_signature",
    "signature_of",
]
