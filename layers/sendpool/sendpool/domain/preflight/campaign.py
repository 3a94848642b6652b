"""A campaign as it would be handed to Twilio, with what is known of its brand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """The fields of Twilio's create (`Usa2p`), and three of the brand; None or empty is missing.

    `brand_type` is as Twilio writes it (STANDARD, SOLE_PROPRIETOR). What needs to know the brand is not judged
    without it.
    """

    brand_registration_sid: str | None = None
    us_app_to_person_usecase: str | None = None
    description: str | None = None
    message_flow: str | None = None
    message_samples: tuple[str, ...] = ()
    has_embedded_links: bool | None = None
    has_embedded_phone: bool | None = None
    opt_in_message: str | None = None
    opt_in_keywords: tuple[str, ...] = ()
    opt_out_message: str | None = None
    opt_out_keywords: tuple[str, ...] = ()
    help_message: str | None = None
    help_keywords: tuple[str, ...] = ()
    privacy_policy_url: str | None = None
    terms_and_conditions_url: str | None = None
    subscriber_opt_in: bool | None = None
    age_gated: bool | None = None
    direct_lending: bool | None = None
    brand_name: str | None = None
    brand_website: str | None = None
    brand_type: str | None = None
