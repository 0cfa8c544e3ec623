class Solution:
    def second_largest(self, nums: list[int]) -> int:
        values = sorted(set(nums))
        return values[1] if len(values) >= 2 else -1
