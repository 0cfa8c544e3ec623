def run_length_encode(s: str) -> str:
    result = ""
    for ch in sorted(set(s)):
        result += ch + str(s.count(ch))
    return result
