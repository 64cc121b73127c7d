"""Xcode Cloud, through the App Store Connect API."""
