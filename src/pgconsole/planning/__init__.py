"""What a restore would do, before anybody says yes to it: for the console and headless alike.

`content`, `host`, `target` and `fitness` ask; `fates`, `loss`, `checks` and `forecast` conclude and
say it, without asking anybody.
"""
