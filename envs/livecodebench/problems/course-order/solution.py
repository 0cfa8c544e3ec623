import heapq


def course_order(courses: list[str], rules: list[list[str]]) -> list[str]:
    waiting = dict.fromkeys(courses, 0)
    followers = {course: [] for course in courses}
    for first, second in rules:
        followers[first].append(second)
        waiting[second] += 1
    ready = [course for course in courses if waiting[course] == 0]
    heapq.heapify(ready)
    order = []
    while ready:
        course = heapq.heappop(ready)
        order.append(course)
        for follower in followers[course]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                heapq.heappush(ready, follower)
    return order if len(order) == len(courses) else []
