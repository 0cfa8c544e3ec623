class Solution:
    def current_folder(self, commands: list[str]) -> str:
        path, before = [], []
        for command in commands:
            if command == "back":
                path = before
                continue
            before = path
            if command == "up":
                path = path[:-1]
            elif command == "top":
                path = []
            else:
                path = [*path, command]
        return "/" + "/".join(path)
