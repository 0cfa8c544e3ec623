def add_to_each(nums: list[int], k: int) -> list[int]:
    return [x + k for x in nums]
