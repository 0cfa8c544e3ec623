def run_length_encode(s: str) -> str:
    result = ""
    current = s[0]
    count = 0
    for ch in s:
        if ch == current:
            count += 1
        else:
            result += current + str(count)
            current = ch
            count = 1
    return result + current + str(count)
