"""What a service may be declared to be for; not the use cases of A2P campaigns."""

USE_CASES = (
    {
        "usecase": "notifications",
        "description": "Transactional notifications and Alerts for any Delivery, Account, Reminder, Order, Fraud, "
        "Security, Public Service, or Emergency announcements.",
        "purpose": "Notify my users.",
    },
    {
        "usecase": "marketing",
        "description": "Marketing messages may contain product information, offers, and calls to action to engage "
        "with your organization.",
        "purpose": "Market my services.",
    },
    {
        "usecase": "verification",
        "description": "One-time passcodes that verify users at login, sign-up or before a sensitive action.",
        "purpose": "Verify users.",
    },
    {
        "usecase": "discussion",
        "description": "Two-way conversations, such as customer care or sales talks.",
        "purpose": "Engage in a discussion.",
    },
    {
        "usecase": "poll",
        "description": "Polls and surveys that ask for answers by message.",
        "purpose": "Poll my audience.",
    },
    {
        "usecase": "undeclared",
        "description": "The purpose of the messages has not been declared.",
        "purpose": "Not declared.",
    },
)
NAMES = frozenset(each["usecase"] for each in USE_CASES)
