"""CI systems: what a provider is, and how one is found. Importing this loads none of them."""

from tui.providers.protocol import Provider, ProviderPlugin, SetupField
from tui.providers.registry import plugin, plugin_names

__all__ = ["Provider", "ProviderPlugin", "SetupField", "plugin", "plugin_names"]
