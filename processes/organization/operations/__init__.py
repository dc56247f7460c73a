"""Changes of the organization: each checks its right, holds the rules and leaves a trace."""

from processes.organization.operations.departments import archive_department, change_department, create_department
from processes.organization.operations.employees import archive_employee, change_employee, create_employee
from processes.organization.operations.logins import ensure_employee_for_login
from processes.organization.operations.positions import archive_position, change_position, create_position
from processes.organization.operations.signatures import remove_signature, set_signature, signature_of

__all__ = [
    "archive_department",
    "archive_employee",
    "archive_position",
    "change_department",
    "change_employee",
    "change_position",
    "create_department",
    "create_employee",
    "create_position",
    "ensure_employee_for_login",
    "remove_signature",
    "set_signature",
    "signature_of",
]
