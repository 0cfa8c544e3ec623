def count_character(s: str, ch: str) -> int:
    if s == "":
        return 0
    return max(count_character(s[1:], ch), (s[0] == ch) + count_character(s[1:], ch))
