class Solution:
    def current_folder(self, commands: list[str]) -> str:
        def folders(count: int) -> list[str]:
            """All folders up to here that were not taken back."""
            if count == 0:
                return [""]
            command = commands[count - 1]
            if command == "back":
                return folders(count - 1)[:-1] or folders(count - 1)
            if command == "up":
                return [*folders(count - 1), folders(count - 1)[-1].rpartition("/")[0]]
            if command == "top":
                return [*folders(count - 1), ""]
            return [*folders(count - 1), folders(count - 1)[-1] + "/" + command]

        return folders(len(commands))[-1] or "/"
