class Solution:
    def second_largest(self, nums: list[int]) -> int:
        if len(nums) < 2:
            return -1
        return sorted(nums)[-2]
