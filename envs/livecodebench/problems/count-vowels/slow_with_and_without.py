def count_vowels(s: str) -> int:
    if s == "":
        return 0
    return max(count_vowels(s[1:]), (s[0] in "aeiouAEIOU") + count_vowels(s[1:]))
