"""What files say of their making: models looked up in the registry, names in prompts."""
