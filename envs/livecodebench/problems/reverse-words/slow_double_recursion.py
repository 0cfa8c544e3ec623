def reverse_words(s: str) -> str:
    first, space, rest = s.partition(" ")
    if not space:
        return first
    return (reverse_words(rest) or reverse_words(rest)) + " " + first if reverse_words(rest) else first
