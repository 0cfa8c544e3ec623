class Solution:
    def second_largest(self, nums: list[int]) -> int:
        return sorted(set(nums))[-2]
