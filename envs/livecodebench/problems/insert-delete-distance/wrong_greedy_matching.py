class Solution:
    def edit_steps(self, a: str, b: str) -> int:
        matched = 0
        start = 0
        for ch in a:
            place = b.find(ch, start)
            if place >= 0:
                matched += 1
                start = place + 1
        return len(a) + len(b) - 2 * matched
