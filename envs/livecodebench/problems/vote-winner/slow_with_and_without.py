n = int(input())
votes = [input().strip() for _ in range(n)]


def count(i, name):
    if i == n:
        return 0
    return max(count(i + 1, name), (votes[i] == name) + count(i + 1, name))


winner = min(sorted(set(votes)), key=lambda name: -count(0, name))
print(winner, count(0, winner))
