"""The values that fields of a toll-free verification may have, as Twilio's API description lists them."""

USE_CASES = frozenset(
    {
        "TWO_FACTOR_AUTHENTICATION",
        "ACCOUNT_NOTIFICATIONS",
        "CUSTOMER_CARE",
        "CHARITY_NONPROFIT",
        "DELIVERY_NOTIFICATIONS",
        "FRAUD_ALERT_MESSAGING",
        "EVENTS",
        "HIGHER_EDUCATION",
        "K12",
        "MARKETING",
        "POLLING_AND_VOTING_NON_POLITICAL",
        "POLITICAL_ELECTION_CAMPAIGNS",
        "PUBLIC_SERVICE_ANNOUNCEMENT",
        "SECURITY_ALERT",
    }
)
OPT_IN_TYPES = frozenset(
    {
        "VERBAL",
        "WEB_FORM",
        "PAPER_FORM",
        "VIA_TEXT",
        "MOBILE_QR_CODE",
        "IMPORT",
        "IMPORT_PLEASE_REPLACE",
    }
)
BUSINESS_TYPES = frozenset(
    {
        "PRIVATE_PROFIT",
        "PUBLIC_PROFIT",
        "SOLE_PROPRIETOR",
        "NON_PROFIT",
        "GOVERNMENT",
    }
)
AUTHORITIES = frozenset(
    {
        "EIN",
        "CBN",
        "CRN",
        "PROVINCIAL_NUMBER",
        "VAT",
        "ACN",
        "ABN",
        "BRN",
        "SIREN",
        "SIRET",
        "NZBN",
        "USt-IdNr",
        "CIF",
        "NIF",
        "CNPJ",
        "UID",
        "NEQ",
        "OTHER",
    }
)
VETTING_PROVIDERS = frozenset({"CAMPAIGN_VERIFY"})
