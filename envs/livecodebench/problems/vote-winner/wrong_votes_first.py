n = int(input())
votes = [input().strip() for _ in range(n)]
winner = min(votes, key=lambda name: (-votes.count(name), name))
print(votes.count(winner), winner)
