class Solution:
    def merge_bookings(self, bookings: list[list[int]]) -> list[int]:
        merged = []
        for start, end in sorted(bookings):
            if merged and start <= merged[-1]:
                merged[-1] = max(merged[-1], end)
            else:
                merged += [start, end]
        return merged
