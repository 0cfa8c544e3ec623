def is_palindrome(s: str) -> str:
    return "True" if s == s[::-1] else "False"
