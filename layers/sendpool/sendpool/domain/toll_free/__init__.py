"""Toll-free verification: what is submitted for a number, how its review goes, what a rejection means, what to do next.

Without one, US and Canadian traffic of a toll-free number is blocked (30032). Reviews take some working days; a
rejected one may be edited and goes in again, most within a week.
"""
