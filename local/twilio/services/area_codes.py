"""Area codes of the US and Canada that share a region: an overlay serves the same streets as the code below it."""

from functools import cache

from local.twilio.account.senders import AREA_CODE

# one region a line; a code that spans several regions stands in each
OVERLAYS = (
    "201 551",
    "202 771",
    "206 564",
    "210 726",
    "212 332 646 917",
    "213 323 738",
    "214 469 945 972",
    "215 267 445",
    "236 604 672 778",
    "240 301 227",
    "281 346 713 832",
    "303 720 983",
    "305 645 786",
    "310 424",
    "312 872",
    "317 463",
    "347 718 917 929",
    "368 403 587 825",
    "404 470 678 770 943",
    "408 669",
    "410 443 667",
    "415 628",
    "416 437 647 942",
    "418 367 581",
    "438 514 263",
    "503 971",
    "512 737",
    "571 703",
    "602 480 623",
    "613 343 753",
    "614 380",
    "615 629",
    "617 857",
    "619 858",
    "702 725",
    "704 980",
    "732 848",
    "773 872",
    "813 656",
    "817 682",
    "862 973",
    "905 289 365 742",
    "919 984",
    "954 754",
)


@cache
def overlays_of(area_code: str) -> frozenset[str]:
    """The other codes of an area code's regions."""
    regions = (frozenset(line.split()) for line in OVERLAYS)
    return frozenset().union(*(region for region in regions if area_code in region)) - {area_code}


def distance(number: str, other: str) -> int:
    """0 for numbers of one area code, 1 where one overlays the other, 2 else; both in E.164, of +1."""
    if number[AREA_CODE] == other[AREA_CODE]:
        return 0
    return 1 if number[AREA_CODE] in overlays_of(other[AREA_CODE]) else 2
