def capitalize_words(s: str) -> str:
    first, space, rest = s.partition(" ")
    if not space:
        return first.capitalize()
    return first.capitalize() + " " + (capitalize_words(rest) if capitalize_words(rest) else rest)
