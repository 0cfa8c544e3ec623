def remove_vowels(s: str) -> str:
    if s == "":
        return ""
    if remove_vowels(s[1:]) == remove_vowels(s[1:]) and s[0] in "aeiouAEIOU":
        return remove_vowels(s[1:])
    return s[0] + remove_vowels(s[1:])
