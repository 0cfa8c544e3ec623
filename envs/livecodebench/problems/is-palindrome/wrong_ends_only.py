def is_palindrome(s: str) -> bool:
    return s[0] == s[-1]
