def to_uppercase(s: str) -> str:
    if s == "":
        return ""
    return s[0].upper() + to_uppercase(s[1:]) if len(to_uppercase(s[1:])) < len(s) else s
