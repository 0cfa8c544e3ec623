def course_order(courses: list[str], rules: list[list[str]]) -> list[str]:
    done = []
    left = sorted(courses)
    while True:
        for course in left:
            if all(first in done for first, second in rules if second == course):
                done.append(course)
                left.remove(course)
                break
        else:
            return done
