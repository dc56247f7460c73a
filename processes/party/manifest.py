"""What parties declare: registers of customers, contacts and competitors, and the rights on them."""

from __future__ import annotations

from engine.catalog import Column, Manifest, Permission, Register, View
from engine.i18n import _
from processes.party import masking, operations, permissions, rules
from processes.party.models import Competitor, Contact, Customer, FieldRule
from processes.party.rules import sight

_HOW_TO_REACH = (
    Column("phone", _("Phone"), kind="phone", sortable=False),
    Column("email", _("Mail"), sortable=False),
    Column("wechat", _("WeChat"), sortable=False),
)
_ANOTHER_ONE = Column(
    "duplicate_reason",
    _("Why it is another one"),
    hint=_("Only when it looks like one that is there already"),
    asked_only=True,
)
_HOW_FAR = (
    Column("level", _("Level"), kind="state", choices=rules.LEVELS),
    Column("stage", _("Stage"), kind="state", choices=rules.STAGES),
)
_OF_TRADE = (
    Column("industry", _("Industry"), kind="state", choices=rules.INDUSTRIES, phone=False),
    Column("region", _("Province"), kind="state", choices=rules.REGIONS, phone=False),
)

CUSTOMERS = Register(
    name=permissions.CUSTOMER,
    title=_("Customers"),
    model=Customer,
    group="customer",
    icon="building",
    order_by=("created_at", "desc"),
    columns=(
        Column("name", _("Name")),
        Column("state", _("State"), kind="state", choices=rules.STATES),
        Column("owner", _("Owner"), kind="reference"),
        *_HOW_FAR,
        Column("phone", _("Phone"), kind="phone", sortable=False),
        Column("last_contact_at", _("Last contact"), kind="datetime"),
        Column("next_contact_on", _("Next contact"), kind="date"),
        *_OF_TRADE,
        Column("created_at", _("Made"), kind="datetime", phone=False),
    ),
    fields=(
        Column("name", _("Name")),
        Column("kind", _("Kind"), kind="state", choices=rules.KINDS, only_new=True),
        *_HOW_FAR,
        *_OF_TRADE,
        Column("city", _("City")),
        Column("source", _("Source"), kind="state", choices=rules.SOURCES),
        *_HOW_TO_REACH,
        Column("credit_code", _("Credit code")),
        Column("address", _("Address")),
        Column("website", _("Website")),
        Column("birthday", _("Birthday"), kind="date", hint=_("Of a private person.")),
        Column("note", _("Note"), kind="long"),
        _ANOTHER_ONE,
    ),
    further=(
        Column("contacts_made", _("Times spoken to"), kind="number"),
        Column("people_known", _("Contact persons"), kind="number", sortable=False),
    ),
    search=("name",),
    finds=permissions.found_customers,
    sought=10,
    beside=("owner", "city"),
    empty=_("Companies and private persons you sell to, with whatever was said to them."),
    scope=permissions.visible_customers,
    views=(
        View(
            "mine",
            _("Mine"),
            permissions.own_customers,
            empty=_("Customers you own stand here: enter one, or apply for one that lies in the pool."),
        ),
        View("team", _("My people’s"), permissions.customers_below, of_superiors=True),
        View("pool", _("Pool"), permissions.customers_in_pool),
        View("due", _("To be contacted"), permissions.customers_due),
    ),
    quick=("level", "stage", "industry", "owner"),
    loads=("party.points",),
    sight=masking.of_customers,
    permission=permissions.USE,
    exports=permissions.EXPORT,
    create=operations.create_customer,
    change=operations.change_customer,
    archive=operations.close_customer,
)

CONTACTS = Register(
    name=permissions.CONTACT,
    title=_("Contacts"),
    model=Contact,
    group="customer",
    icon="id-badge",
    order_by=("id", "desc"),
    columns=(
        Column("name", _("Full name")),
        Column("employer", _("Works at")),
        Column("title", _("Job title")),
        Column("role", _("Role"), kind="state", choices=rules.ROLES),
        Column("phone", _("Phone"), kind="phone", sortable=False),
        Column("is_main", _("Main contact"), kind="bool", phone=False),
        Column("last_contact_at", _("Last contact"), kind="datetime"),
        Column("contacts_made", _("Times spoken to"), kind="number", phone=False),
        Column("next_contact_on", _("Next contact"), kind="date"),
        Column(
            "state", _("State"), kind="state", choices={"active": _("Works there"), "left": _("Has left")}, phone=False
        ),
    ),
    fields=(
        Column("name", _("Full name")),
        Column("employer", _("Works at")),
        Column("title", _("Job title")),
        Column("role", _("Role"), kind="state", choices=rules.ROLES),
        Column("is_main", _("Main contact"), kind="bool"),
        *_HOW_TO_REACH,
        Column("birthday", _("Birthday"), kind="date"),
        _ANOTHER_ONE,
    ),
    search=("name", "employer"),
    finds=permissions.found_contacts,
    sought=20,
    beside=("employer", "title"),
    empty=_("The people you speak with at your customers; calls and records will be kept with them."),
    scope=permissions.visible_contacts,
    views=(
        View("key_people", _("Key people not spoken to for 30 days"), permissions.key_people_neglected),
        View("never", _("Never spoken to"), permissions.contacts_never_spoken_to),
        View("birthdays", _("Birthdays within 30 days"), permissions.birthdays_soon),
    ),
    quick=("role", "state"),
    loads=("person.points",),
    sight=masking.of_contacts,
    permission=permissions.USE,
    exports=permissions.EXPORT,
    create=operations.create_contact,
    change=operations.change_contact,
    archive=operations.mark_left,
)

COMPETITORS = Register(
    name=permissions.COMPETITOR,
    title=_("Competitors"),
    model=Competitor,
    group="customer",
    icon="target",
    order_by=("name", "asc"),
    columns=(Column("name", _("Name")), Column("strengths", _("Strengths")), Column("weaknesses", _("Weaknesses"))),
    fields=(
        Column("name", _("Name")),
        Column("strengths", _("Strengths")),
        Column("weaknesses", _("Weaknesses")),
        Column("price_notes", _("On its prices")),
    ),
    search=("name",),
    empty=_("Against whom you stand: on a customer’s page you say where, here what they are good at."),
    scope=permissions.visible_competitors,
    permission=permissions.USE,
    exports=permissions.EXPORT,
    create=operations.create_competitor,
    change=operations.change_competitor,
    archive=operations.archive_competitor,
)

_FIELD_RULE = (
    Column("field", _("Field"), kind="state", choices=sight.FIELDS),
    Column("person", _("Person"), kind="reference"),
    Column("position", _("Position"), kind="reference"),
    Column("role", _("Role"), hint=_("As the page “Permissions” shows it, for example Sales.")),
    Column(
        "extent",
        _("Of which customers"),
        kind="state",
        choices=sight.EXTENTS,
        hint=_("Where no rule speaks, one sees one’s own customers whole and all others masked."),
    ),
    Column("sees", _("Sees of it"), kind="state", choices=sight.SEES),
    Column("reveals", _("May uncover it"), kind="bool", hint=_("Of a masked one; each time is noted."), phone=False),
    Column(
        "narrows",
        _("Sees no more than this"),
        kind="bool",
        hint=_("For one person: whatever other rules and rights would give. Else the widest rule holds."),
        phone=False,
    ),
)

FIELD_RULES = Register(
    name=permissions.FIELD_RULE,
    title=_("Rules on sensitive fields"),
    model=FieldRule,
    group="system",
    icon="eye-off",
    order_by=("field", "asc"),
    columns=_FIELD_RULE,
    fields=_FIELD_RULE,
    scope=permissions.visible_field_rules,
    quick=("field", "sees"),
    permission=permissions.MANAGE_FIELD_RULES,
    create=operations.create_field_rule,
    change=operations.change_field_rule,
    archive=operations.remove_field_rule,
    removes=True,
)

MANIFEST = Manifest(
    title=_("Customers"),
    registers=(CUSTOMERS, CONTACTS, COMPETITORS, FIELD_RULES),
    permissions=(
        Permission(permissions.USE, _("Work with customers: one's own, the pool, what is shared")),
        Permission(permissions.READ, _("Read every customer")),
        Permission(permissions.MANAGE, _("Make and change customers")),
        Permission(permissions.EXPORT, _("Take customers, contacts, contact records and appointments along as files")),
        Permission(permissions.MERGE_POOL, _("Merge customers of the pool")),
        Permission(permissions.MANAGE_ANY, _("Change customers whoever owns them")),
        Permission(permissions.READ_WHOLE, _("See phones, mails and codes of customers whole, whoever owns them")),
        Permission(permissions.MANAGE_FIELD_RULES, _("Decide who sees sensitive fields of customers")),
        Permission(masking.REVEAL, _("Uncover a masked phone, mail or code; each time is noted")),
    ),
)
