class Solution:
    def merge_bookings(self, bookings: list[list[int]]) -> list[list[int]]:
        merged = [bookings[0]]
        for start, end in bookings[1:]:
            last = merged[-1]
            if start <= last[1] and end >= last[0]:
                last[0] = min(last[0], start)
                last[1] = max(last[1], end)
            else:
                merged.append([start, end])
        return sorted(merged)
