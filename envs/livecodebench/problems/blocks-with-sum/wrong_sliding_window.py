def count_blocks(nums: list[int], k: int) -> int:
    count = 0
    left = 0
    total = 0
    for right in range(len(nums)):
        total += nums[right]
        while left <= right and total > k:
            total -= nums[left]
            left += 1
        if left <= right and total == k:
            count += 1
    return count
