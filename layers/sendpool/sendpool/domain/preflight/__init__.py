"""An A2P 10DLC campaign held against what gets campaigns rejected, before its vetting fee is paid.

Findings have a rule, Twilio's codes, the field, what is wrong and a fix; one of severity `reject` is enough for the
verdict `reject`. It reads the form, not the web: whether a page can be opened, or says what it should, is not known
here, nor what a reviewer thinks. `rules` is the table of all rules, `data/preflight.json` its words.
Sources: Twilio's rejection codes (217xx, 305xx, 308xx, 309xx) and onboarding guide, CTIA Messaging Principles.
"""
