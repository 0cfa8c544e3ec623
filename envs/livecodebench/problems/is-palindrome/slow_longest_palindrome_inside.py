def is_palindrome(s: str) -> bool:
    def longest(left: int, right: int) -> int:
        if left >= right:
            return right - left + 1
        if s[left] == s[right]:
            return 2 + longest(left + 1, right - 1)
        return max(longest(left + 1, right), longest(left, right - 1))

    return longest(0, len(s) - 1) == len(s)
