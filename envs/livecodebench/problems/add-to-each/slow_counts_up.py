def add_to_each(nums: list[int], k: int) -> list[int]:
    result = []
    for x in nums:
        for _ in range(abs(k)):
            x += 1 if k > 0 else -1
        result.append(x)
    return result
