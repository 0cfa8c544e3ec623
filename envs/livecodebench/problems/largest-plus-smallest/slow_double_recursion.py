def largest_plus_smallest(nums: list[int]) -> int:
    def smallest(rest: list[int]) -> int:
        if len(rest) == 1:
            return rest[0]
        return smallest(rest[1:]) if smallest(rest[1:]) < rest[0] else rest[0]

    return smallest(nums) - smallest([-x for x in nums])
