class Solution:
    def second_largest(self, nums: list[int]) -> int:
        second = -1
        for x in range(max(nums, default=0)):
            if x in nums:
                second = x
        return second
